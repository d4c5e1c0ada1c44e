"""The voucher contract as its operator works with it: calls, their meaning, how they get signed.

Nothing here holds or asks for a key. A transaction leaves as a `Call`, which `exports` turns into
what a hardware wallet or a Safe signs; only a local chain's own accounts are ever made to send one.
"""
