"""MyHDL blocks of the accelerator, bottom-up. docs/architecture.md shows how they fit together."""
