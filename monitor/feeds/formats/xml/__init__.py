"""Read RSS, Atom, RDF and CDF, with repair of documents that are nearly XML. Pure functions without I/O."""
