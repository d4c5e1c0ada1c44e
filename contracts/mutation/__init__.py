"""Mutation testing of the voucher contract; the command is contracts/mutate.py."""
