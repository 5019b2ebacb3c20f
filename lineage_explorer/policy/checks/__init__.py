"""The closed set of checks that a policy is made of; one struct each, with what it asks and how it judges."""
