"""Front ends: from waveform to what a network takes, one file each."""

from unheard.registry import Registry

#: Each place is a :class:`unheard.frontends.front_end.FrontEnd`.
FRONT_ENDS = Registry(
    "front end",
    {
        "filterbank": "unheard.frontends.filterbank:Filterbank",
        "mfcc": "unheard.frontends.mfcc:Mfcc",
        "opensmile": "unheard.frontends.opensmile:OpenSmile",
        "spectrogram": "unheard.frontends.spectrogram:Spectrogram",
    },
    group="unheard.front_ends",
)

__all__ = ["FRONT_ENDS"]
