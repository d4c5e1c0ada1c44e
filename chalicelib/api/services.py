"""What the routes work with: the settings and one implementation of each port."""

from dataclasses import dataclass

from chalicelib.ports import Clock, Entropy, Passwords, Sealer, Signatures, Store, Telemetry
from chalicelib.settings import ApiSettings


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the API depends on, chosen by the composition root (`chalicelib.bootstrap`)."""

    settings: ApiSettings
    store: Store
    clock: Clock
    entropy: Entropy
    sealer: Sealer
    passwords: Passwords
    signatures: Signatures
    telemetry: Telemetry
