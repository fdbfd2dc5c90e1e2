"""The screens and dialogs; they use the dashboard through `tui.host` only."""
