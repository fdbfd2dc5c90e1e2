"""What a person can do and by which key: keymap, palette, command line, clipboard."""
