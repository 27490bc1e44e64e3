"""How a model learns: terms on taps, and what one optimisation step does with a batch."""

from unheard.registry import Registry

#: Update rules; each place is a :class:`unheard.methods.method.Method`.
METHODS = Registry(
    "method",
    {
        "descent": "unheard.methods.descent:Descent",
        "cross_gradient": "unheard.methods.cross_gradient:CrossGradient",
        "speaker_normalization": "unheard.methods.speaker_normalization:SpeakerNormalization",
        "adversarial_autoencoder": "unheard.methods.adversarial_autoencoder:AdversarialAutoencoder",
    },
    group="unheard.methods",
)

#: Losses with their heads; each place is a :class:`unheard.methods.term.Term`.
TERMS = Registry(
    "term",
    {
        "classification": "unheard.methods.classification:Classification",
        "center": "unheard.methods.center:Center",
        "pooled_classification": "unheard.methods.pooled_classification:PooledClassification",
        "segments": "unheard.methods.segments:Segments",
        "conv_classification": "unheard.methods.conv_classification:ConvClassification",
        "reconstruction": "unheard.methods.reconstruction:Reconstruction",
        "discriminator": "unheard.methods.discriminator:Discriminator",
        "contrastive": "unheard.methods.contrastive:Contrastive",
    },
    group="unheard.terms",
)

#: Classical models, fitted in one go on one vector per utterance.
CLASSIFIERS = Registry("classifier", {"linear_svm": "unheard.methods.svm:LinearSvm"}, group="unheard.classifiers")

__all__ = ["CLASSIFIERS", "METHODS", "TERMS"]
