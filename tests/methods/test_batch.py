import torch

from unheard.methods.batch import Batch


def test_other_features_keep_the_labels():
    batch = Batch(torch.zeros(2, 3, 1), torch.tensor([3, 2]), {"emotion": torch.tensor([0, -1])})
    other = batch.with_features(torch.ones(2, 3, 1))
    assert len(other) == 2
    assert other.labels is batch.labels
    assert other.features.all()
    assert not batch.features.any()


def test_a_batch_moves_as_a_whole():
    batch = Batch(torch.zeros(2, 3), torch.tensor([3, 2]), {"emotion": torch.tensor([0, -1])}).to("meta")
    assert {batch.features.device.type, batch.lengths.device.type, batch.labels["emotion"].device.type} == {"meta"}
