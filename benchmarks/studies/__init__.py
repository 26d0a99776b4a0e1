"""Tables and plots of trained studies."""
