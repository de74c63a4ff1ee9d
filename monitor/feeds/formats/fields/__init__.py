"""Read the single fields of an entry: text encodings, dates, markup, languages, URLs. Pure functions without I/O."""
