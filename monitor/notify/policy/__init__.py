"""Whether an event is told to a receiver, when, and why. Pure: times come as arguments, nothing is read or sent."""
