"""Networks: features → named taps."""

from unheard.registry import Registry

#: Each place is a :class:`unheard.networks.network.Network`.
NETWORKS = Registry(
    "network",
    {
        "conv_autoencoder": "unheard.networks.conv_autoencoder:ConvAutoencoder",
        "domain_aware": "unheard.networks.domain_aware:DomainAware",
        "perceptron": "unheard.networks.perceptron:VectorPerceptron",
        "strfnet": "unheard.networks.strfnet:StrfNet",
        "pooling": "unheard.networks.pooling:Pooling",
        "ssl_encoder": "unheard.networks.ssl_encoder:SslEncoder",
        "tdnn_lstm": "unheard.networks.tdnn_lstm:TdnnLstm",
        "wav2vec": "unheard.networks.wav2vec:Wav2vec",
    },
    group="unheard.networks",
)

__all__ = ["NETWORKS"]
