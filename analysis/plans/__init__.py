"""The statistical analysis plan: data beside the protocol, read and checked, versioned, hashed, signed."""
