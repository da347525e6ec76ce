"""The sandbox's own calls below `/sandbox`: what somebody who tests against it does to its world."""
