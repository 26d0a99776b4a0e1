"""MyHDL blocks of the accelerator, bottom-up. docs/explanation/architecture.md shows how they fit together."""
