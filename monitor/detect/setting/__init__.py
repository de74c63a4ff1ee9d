"""The setting of a contact: time, place, forum and topics. Pure."""
