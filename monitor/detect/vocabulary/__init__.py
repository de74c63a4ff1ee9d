"""A language's file: its words, triggers, frames, cues and vetoes, checked when loaded."""
