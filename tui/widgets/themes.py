"""The two themes of the dashboard, in the colours of the web page; all themes of Textual work as well."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="urumi-dark",
    primary="#5fd6c4",
    secondary="#cfa4f5",
    accent="#5fd6c4",
    warning="#f2bb4b",
    error="#ff938a",
    success="#66d49a",
    foreground="#e7ecec",
    background="#0f1314",
    surface="#161b1d",
    panel="#1c2326",
    dark=True,
    variables={
        "text-muted": "#8d9a9f",
        "text-primary": "#85b6ff",
        "text-secondary": "#cfa4f5",
        "text-accent": "#5fd6c4",
        "text-success": "#66d49a",
        "text-warning": "#f2bb4b",
        "text-error": "#ff938a",
        "block-cursor-background": "#1f4a47",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#1a2b2c",
        "border": "#5fd6c4",
        "border-blurred": "#2a3336",
        "button-color-foreground": "#08211f",
    },
)
LIGHT = Theme(
    name="urumi-light",
    primary="#0b6464",
    secondary="#7540a0",
    accent="#0b6464",
    warning="#855000",
    error="#b3261e",
    success="#17693a",
    foreground="#1a2022",
    background="#f5f6f4",
    surface="#ffffff",
    panel="#e9edec",
    dark=False,
    variables={
        "text-muted": "#566166",
        "text-primary": "#1b5cb8",
        "text-secondary": "#7540a0",
        "text-accent": "#0b6464",
        "text-success": "#17693a",
        "text-warning": "#855000",
        "text-error": "#b3261e",
        "block-cursor-background": "#bfe3df",
        "block-cursor-foreground": "#0c1716",
        "block-cursor-blurred-background": "#e3f1ef",
        "border": "#0b6464",
        "border-blurred": "#c5cccb",
    },
)
