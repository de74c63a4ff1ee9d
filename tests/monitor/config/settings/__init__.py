"""Tables with a case for each key of the configuration: which outcome changes when its value changes."""
