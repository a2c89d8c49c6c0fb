"""What the services share: the contract, the domain they understand alike, and the runtime."""
