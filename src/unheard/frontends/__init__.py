"""Front ends: from waveform to what a network takes, one file each."""

from unheard.registry import Registry

#: Each place is a :class:`unheard.frontends.front_end.FrontEnd`.
FRONT_ENDS = Registry(
    "front end",
    {
        "filterbank": "unheard.frontends.filterbank:Filterbank",
        "filterbank_and_pulse": "unheard.frontends.pitch_pulse:FilterbankAndPulse",
        "mfcc": "unheard.frontends.mfcc:Mfcc",
        "opensmile": "unheard.frontends.opensmile:OpenSmile",
        "pitch_pulse": "unheard.frontends.pitch_pulse:PitchPulse",
        "spectrogram": "unheard.frontends.spectrogram:Spectrogram",
        "ssl_features": "unheard.frontends.ssl_features:SslFeatures",
        "waveform": "unheard.frontends.waveform:Waveform",
    },
    group="unheard.front_ends",
)

__all__ = ["FRONT_ENDS"]
