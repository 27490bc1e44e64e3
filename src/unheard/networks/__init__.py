"""Networks: features → named taps."""

from unheard.registry import Registry

#: Each place is a :class:`unheard.networks.network.Network`.
NETWORKS = Registry(
    "network",
    {"tdnn_lstm": "unheard.networks.tdnn_lstm:TdnnLstm"},
    group="unheard.networks",
)

__all__ = ["NETWORKS"]
