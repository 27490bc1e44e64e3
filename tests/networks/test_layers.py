import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from unheard.frontends.statistics import valid_frames
from unheard.networks.layers import FrameBlock, FrameLstm, FrameNorm, mean_and_deviation, mean_over_time


def test_lstm_equals_a_packed_bidirectional_one():
    torch.manual_seed(0)
    ours = FrameLstm(5, 4, layers=2)
    theirs = nn.LSTM(5, 4, num_layers=2, batch_first=True, bidirectional=True)
    for layer in range(2):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            with torch.no_grad():
                getattr(theirs, f"{name}_l{layer}").copy_(getattr(ours.ahead[layer], f"{name}_l0"))
                getattr(theirs, f"{name}_l{layer}_reverse").copy_(getattr(ours.back[layer], f"{name}_l0"))
    frames, lengths = torch.randn(3, 9, 5), torch.tensor([9, 4, 6])
    packed = pack_padded_sequence(frames, lengths, batch_first=True, enforce_sorted=False)
    expected = pad_packed_sequence(theirs(packed)[0], batch_first=True)[0]
    valid = valid_frames(lengths, 9)
    assert torch.allclose(ours(frames, lengths)[valid], expected[valid], atol=1e-6)


def test_frame_norm_is_batch_norm_over_valid_frames():
    torch.manual_seed(0)
    norm, reference = FrameNorm(3), nn.BatchNorm1d(3)
    frames, valid = torch.randn(2, 5, 3), valid_frames(torch.tensor([5, 2]), 5)
    ours = norm(frames, valid)
    assert torch.allclose(ours[valid], reference(frames[valid]), atol=1e-6)
    assert torch.equal(ours[~valid], torch.zeros(3, 3))
    assert torch.allclose(norm.running_var, reference.running_var)


def test_dropout_takes_a_channel_of_an_utterance_or_leaves_it():
    torch.manual_seed(0)
    frames = FrameBlock(50, 0.5)(torch.rand(4, 9, 50) + 1, torch.ones(4, 9, dtype=torch.bool))
    whole = (frames == 0).all(dim=1) | (frames != 0).all(dim=1)
    assert whole.all()
    assert 0.3 < float((frames == 0).float().mean()) < 0.7


def test_deviation_of_a_constant_is_the_floor():
    pooled = mean_and_deviation(torch.full((1, 4, 2), 3.0), torch.ones(1, 4, dtype=torch.bool))
    assert torch.allclose(pooled, torch.tensor([[3.0, 3.0, 1e-4, 1e-4]]))


def test_half_precision_is_pooled_as_exactly_as_single():
    torch.manual_seed(0)
    frames, valid = (torch.randn(2, 301, 4) + 5).bfloat16(), valid_frames(torch.tensor([301, 259]), 301)
    for pool in (mean_and_deviation, mean_over_time):
        torch.testing.assert_close(pool(frames, valid), pool(frames.float(), valid))
