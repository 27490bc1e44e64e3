"""Networks: features → named taps."""

from unheard.registry import Registry

#: Each place is a :class:`unheard.networks.network.Network`.
NETWORKS = Registry(
    "network",
    {
        "domain_aware": "unheard.networks.domain_aware:DomainAware",
        "tdnn_lstm": "unheard.networks.tdnn_lstm:TdnnLstm",
    },
    group="unheard.networks",
)

__all__ = ["NETWORKS"]
