"""The guarded way out to the network: checked addresses, transport, bodies, caching rules, link headers."""
