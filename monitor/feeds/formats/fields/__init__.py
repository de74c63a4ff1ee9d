"""Single values of an entry: text encodings, dates, markup, languages, addresses. Pure."""
