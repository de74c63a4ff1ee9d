"""RSS, Atom, RDF and CDF: from XML to entries, with repair of what is nearly XML. Pure."""
