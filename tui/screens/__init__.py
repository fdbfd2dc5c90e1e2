"""The screens of the dashboard: the list, one store in full, and the dialogs."""
