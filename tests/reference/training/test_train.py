import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from duospike.reference import golden
from duospike.reference.data.datasets import Dataset
from duospike.reference.errors import InputError
from duospike.reference.network import RESETS
from duospike.reference.training import train
from tests.benches.small_training import SHAPE, bright_quarters, small_settings


def trained(settings, data, epochs=None):
    run = train.start(settings, SHAPE)
    for _ in range(epochs or settings.epochs):
        train.train_epoch(run, data)
    return run


def assert_same(first, second):
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name]), name
    moments = [run.optimizer.state_dict()["state"] for run in (first, second)]
    for key, state in moments[0].items():
        assert all(torch.equal(value, moments[1][key][name]) for name, value in state.items())


@pytest.mark.parametrize("bits", [4, "float"])
def test_learns(bits):
    run = trained(small_settings(weight_bits=bits, epochs=6), bright_quarters(800))
    test = bright_quarters(300, seed=1)
    assert train.accuracy(run.model, test) > 0.9
    if bits != "float":
        result = golden.evaluate(run.model.export(), test.images, test.labels)
        assert result.accuracy == train.accuracy(run.model, test)


def test_a_resumed_run_equals_a_whole_one(tmp_path):
    settings, data = small_settings(), bright_quarters(150)
    whole = trained(settings, data)
    train.save_checkpoint(trained(settings, data, epochs=1), tmp_path)
    torch.manual_seed(12345)
    resumed = train.resume(settings, SHAPE, tmp_path)
    assert resumed.epoch == 1
    while resumed.epoch < settings.epochs:
        train.train_epoch(resumed, data)
    assert_same(whole, resumed)


@pytest.mark.parametrize("reset", RESETS)
@pytest.mark.parametrize("coding", ["direct", "rate"])
@pytest.mark.parametrize("bits", [4, "float"])
def test_a_step_of_training_stays_on_one_device(coding, reset, bits):
    """On torch's device without data, which refuses a tensor of another device as a GPU does."""
    model = train.start(small_settings(coding=coding, reset=reset, weight_bits=bits, timesteps=3), SHAPE).model.to("meta")
    data = bright_quarters(4)
    spikes = model.spikes(torch.from_numpy(data.images).float())
    votes = model.votes(spikes[model.blank.layers[-1].name])
    loss = train.vote_loss(votes, torch.from_numpy(data.labels).to("meta"), model.max_votes) + model.spike_rate(spikes)
    loss.backward()
    assert votes.shape == (4, 4) and {parameter.grad.device.type for parameter in model.parameters()} == {"meta"}


def test_a_gpu_is_taken_where_torch_finds_one(monkeypatch):
    assert train.training_device() == torch.device("cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert train.training_device() == torch.device("cuda")


def test_same_seed_same_run_other_seed_another():
    data = bright_quarters(100)
    first, again, other = (trained(small_settings(seed=seed), data, 1) for seed in (1, 1, 2))
    assert_same(first, again)
    assert not torch.equal(first.model.layers["conv1"].weight, other.model.layers["conv1"].weight)


def test_epochs_differ_in_order():
    run = train.start(small_settings(), SHAPE)
    data = bright_quarters(100)
    first = torch.cat([labels for _, labels in train._batches(run, data)])
    run.epoch = 1
    second = torch.cat([labels for _, labels in train._batches(run, data)])
    assert not torch.equal(first, second)
    assert torch.equal(first.sort()[0], second.sort()[0]) and len(first) == 100


def test_learning_rate_is_half_a_cosine():
    run = train.start(small_settings(epochs=4, learning_rate=0.01), SHAPE)
    rates = []
    for done in (0, 1, 2, 4):
        train.set_learning_rate(run, done)
        rates.append(run.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.01, 0.01 * (1 + 2**-0.5) / 2, 0.005, 0])


def test_progress_counts_batches_and_right_answers():
    run, seen = train.start(small_settings(batch_size=40), SHAPE), []
    train.train_epoch(run, bright_quarters(100), seen.append)
    assert [(p.epoch, p.batch, p.batches) for p in seen] == [(1, 1, 3), (1, 2, 3), (1, 3, 3)]
    assert 0 <= seen[-1].accuracy <= 1 and round(seen[-1].accuracy * 100) == pytest.approx(seen[-1].accuracy * 100)
    assert run.epoch == 1


def test_augmentation_mirrors_and_shifts_only():
    image = torch.zeros(1, 1, 6, 6)
    image[0, 0, 2, 1] = 5
    generator = torch.Generator().manual_seed(1)
    places = {tuple(train.augment(image, generator, 1, True)[0, 0].nonzero()[0].tolist()) for _ in range(300)}
    assert places == {(y, x) for y in (1, 2, 3) for x in (0, 1, 2, 3, 4, 5)}


@pytest.mark.parametrize("mirror", [False, True])
def test_digits_are_mirrored_only_if_asked(mirror):
    """By the images of an epoch, which each have a mark on the left."""
    run = train.start(small_settings(dataset="svhn", mirror_digits=mirror, batch_size=300), SHAPE)
    images = np.zeros((300, *SHAPE), np.uint8)
    images[:, 0, 4, 0] = 9
    batch, _ = next(train._batches(run, Dataset(images, np.zeros(300, np.int64))))
    columns = batch[:, 0].nonzero()[:, 2]
    assert (columns.max() > 4) == mirror and len(columns) > 100


def test_a_batch_is_augmented_as_each_image_alone():
    """By slices of one image at a time, with the same random numbers."""
    images = torch.arange(5 * 2 * 3 * 6 * 7.0).reshape(5, 2, 3, 6, 7)
    moved = train.augment(images, torch.Generator().manual_seed(4), 2, True)
    generator = torch.Generator().manual_seed(4)
    flipped = torch.rand(5, generator=generator) < 0.5
    places = torch.randint(0, 5, (5, 2), generator=generator).tolist()
    assert flipped.any() and not flipped.all()
    for image, mirrored, (down, right), found in zip(images, flipped, places, moved, strict=True):
        padded = torch.nn.functional.pad(image.flip(-1) if mirrored else image, [2] * 4)
        assert torch.equal(found, padded[..., down : down + 6, right : right + 7])


def test_digits_are_not_mirrored():
    image = torch.zeros(1, 1, 12, 12)
    image[0, 0, 6, 4] = 5
    generator = torch.Generator().manual_seed(1)
    places = {tuple(train.augment(image, generator, 4, False)[0, 0].nonzero()[0].tolist()) for _ in range(1000)}
    assert places == {(y, x) for y in range(2, 11) for x in range(0, 9)}


def test_a_spike_penalty_makes_training_sparser():
    data, test = bright_quarters(512), bright_quarters(100, seed=1)
    rates = {}
    for penalty in (0.0, 3.0):
        run = train.start(small_settings(spike_penalty=penalty), SHAPE)
        for _ in range(2):
            train.train_epoch(run, data)
        spikes = golden.run(run.model.eval().export(), test.images).spikes
        layers = [spikes[name] for name in ("conv1", "conv2", "fc1")]
        rates[penalty] = sum(layer.sum() for layer in layers) / sum(layer.size for layer in layers)
    assert rates[3.0] < 0.8 * rates[0.0]


def test_vote_loss_is_scaled_cross_entropy():
    votes, labels = torch.tensor([[20.0, 0.0], [10.0, 10.0]]), torch.tensor([1, 0])
    expected = (np.log(1 + np.exp(10)) + np.log(2)) / 2
    assert train.vote_loss(votes, labels, 20).item() == pytest.approx(expected)


def test_count_loss_is_snntorchs():
    snntorch = pytest.importorskip("snntorch.functional")
    spikes = (torch.rand(3, 5, 20, generator=torch.Generator().manual_seed(1)) < 0.4).float()
    labels = torch.tensor([0, 1, 2, 3, 3])
    wanted = snntorch.mse_count_loss(correct_rate=1, incorrect_rate=0, population_code=True, num_classes=4)(spikes, labels)
    votes = spikes.sum(0).unflatten(1, (4, 5)).sum(-1)
    assert train.count_loss(votes, labels, 15, 3).item() == pytest.approx(wanted.item())


@pytest.mark.parametrize("keep", ["last", "best_test"])
def test_the_epoch_that_is_kept(keep, tmp_path):
    """Of accuracies that are made up the second is the best; a run that was stopped keeps the same network."""
    settings, data = small_settings(keep=keep, epochs=4), bright_quarters(40)
    accuracies, states = iter([0.3, 0.6, 0.6, 0.5]), []

    def examined(model, shown):
        states.append(model.layers["conv1"].weight.detach().clone())
        return {"test_accuracy": next(accuracies), "spikes": {"conv1": 1.0}}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "examine", examined)
        run = train.start(settings, SHAPE)
        for found in train.train_on(run, data, data, tmp_path):
            if found["epoch"] == 3:
                break
        run = train.resume(settings, SHAPE, tmp_path)
        list(train.train_on(run, data, data, tmp_path))
    assert [one["epoch"] for one in run.history] == [1, 2, 3, 4] and run.history[1]["test_accuracy"] == 0.6
    assert torch.equal(run.kept().layers["conv1"].weight, states[1 if keep == "best_test" else 3])
    assert not run.model.training


def test_what_is_examined_after_an_epoch():
    run = train.start(small_settings(), SHAPE)
    data = bright_quarters(150)
    train.train_epoch(run, data)
    trace = golden.run(run.model.export(), data.images)
    found = train.examine(run.model, data)
    assert found["test_accuracy"] == (trace.predicted == data.labels).mean()
    assert found["spikes"] == {name: spikes.sum() / 150 for name, spikes in trace.spikes.items()}


def test_an_optimizer_that_is_made_anew_forgets():
    counts = {}
    for restart in (False, True):
        run = trained(small_settings(restart_optimizer=restart), bright_quarters(64), 2)
        counts[restart] = {int(state["step"]) for state in run.optimizer.state_dict()["state"].values()}
    assert counts == {False: {4}, True: {2}}


def test_a_constant_schedule():
    run = trained(small_settings(schedule="constant"), bright_quarters(64))
    assert run.optimizer.param_groups[0]["lr"] == 0.01


def test_a_resumed_run_has_the_same_dropout(tmp_path):
    settings, data = small_settings(architecture="4C3-FC20-FC8", dropout=0.3), bright_quarters(100)
    whole = trained(settings, data)
    train.save_checkpoint(trained(settings, data, epochs=1), tmp_path)
    torch.manual_seed(99)
    resumed = train.resume(settings, SHAPE, tmp_path)
    while resumed.epoch < settings.epochs:
        train.train_epoch(resumed, data)
    assert_same(whole, resumed)


def test_a_diverged_run_ends_and_keeps_its_last_checkpoint(tmp_path):
    data = bright_quarters(40)
    run = train.start(small_settings(), SHAPE)
    epochs = train.train_on(run, data, data, tmp_path)
    next(epochs)
    run.model.layers["conv2"].weight.data[0] = np.inf
    with pytest.raises(InputError, match="epoch 2: training has diverged, layer conv.: .*not finite; a smaller"):
        next(epochs)
    assert train.resume(small_settings(), SHAPE, tmp_path).epoch == 1


def test_nothing_to_resume(tmp_path):
    with pytest.raises(InputError, match="not found, there is nothing to resume"):
        train.resume(small_settings(), SHAPE, tmp_path)


def test_other_settings_are_not_resumed(tmp_path):
    train.save_checkpoint(train.start(small_settings(), SHAPE), tmp_path)
    with pytest.raises(InputError, match="trained with other settings"):
        train.resume(small_settings(seed=2), SHAPE, tmp_path)


@pytest.mark.parametrize("keep", [0, 10, 3000])
def test_damaged_checkpoint(tmp_path, keep):
    train.save_checkpoint(train.start(small_settings(), SHAPE), tmp_path)
    path = tmp_path / train.CHECKPOINT
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="truncated, or not a safetensors file"):
        train.resume(small_settings(), SHAPE, tmp_path)


def test_a_pickle_in_the_place_of_a_checkpoint_is_refused(tmp_path):
    torch.save({"settings": {}}, tmp_path / train.CHECKPOINT)
    with pytest.raises(InputError, match="not a safetensors file"):
        train.resume(small_settings(), SHAPE, tmp_path)


def test_unwritable_checkpoint_folder(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        train.save_checkpoint(train.start(small_settings(), SHAPE), tmp_path / "none")


def without(name):
    return lambda tensors, about: tensors.pop(name)


def with_tensor(name, values):
    return lambda tensors, about: tensors.update({name: np.asarray(values)})


def with_epoch(epoch):
    return lambda tensors, about: about.update(epoch=epoch)


WEIGHT, MOMENT = "model.layers.conv1.weight", "optimizer.0.exp_avg"
WRONG_CONTENTS = {
    "no epoch": (lambda tensors, about: about.pop("epoch"), "settings and epoch"),
    "more metadata": (lambda tensors, about: about.update(more=1), "settings and epoch"),
    "model without a weight": (without(WEIGHT), WEIGHT),
    "optimizer without a moment": (without(MOMENT), MOMENT),
    "one tensor more": (with_tensor("optimizer.99.step", np.float32(1)), "optimizer.99.step"),
    "weights of another shape": (with_tensor(WEIGHT, np.zeros(1, np.float32)), r"shape \(1,\), needs \(4, 2, 3, 3\)"),
    "weights of another type": (with_tensor(WEIGHT, np.zeros((4, 2, 3, 3))), f"{WEIGHT}.* of float32 has shape None"),
    "weights that are no numbers": (with_tensor(WEIGHT, np.full((4, 2, 3, 3), np.nan, np.float32)), "not finite"),
    "moments that are infinite": (with_tensor(MOMENT, np.full((4, 2, 3, 3), np.inf, np.float32)), "not finite"),
    "epoch of another type": (with_epoch("1"), "epoch '1'"),
    "epoch that is true": (with_epoch(True), "epoch True"),
    "negative epoch": (with_epoch(-1), "epoch -1"),
    "epoch after the last": (with_epoch(4), "epoch 4"),
    "history of a later epoch": (lambda tensors, about: about.update(history=[{"epoch": 2}]), "history is of epochs"),
    "history that is no list": (lambda tensors, about: about.update(history=3), "history is of epochs"),
    "history without accuracy": (lambda tensors, about: about.update(history=[{"epoch": 1}]), "no accuracy or no spikes of"),
    "moments before the first epoch": (with_epoch(0), "optimizer.0.exp_avg"),
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Of one epoch, by safetensors' own reader: its tensors and what its metadata says."""
    folder = tmp_path_factory.mktemp("checkpoint")
    train.save_checkpoint(trained(small_settings(), bright_quarters(40), epochs=1), folder)
    with safe_open(folder / train.CHECKPOINT, framework="numpy") as file:
        about = json.loads(file.metadata()[train.KEY])
        return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118 (not a dictionary)


@pytest.mark.parametrize("alter, message", WRONG_CONTENTS.values(), ids=WRONG_CONTENTS)
def test_checkpoint_with_wrong_contents(alter, message, checkpoint, tmp_path):
    tensors, about = dict(checkpoint[0]), dict(checkpoint[1])
    save_file(tensors, tmp_path / train.CHECKPOINT, {train.KEY: json.dumps(about)})
    assert train.resume(small_settings(), SHAPE, tmp_path).epoch == 1
    alter(tensors, about)
    save_file(tensors, tmp_path / train.CHECKPOINT, {train.KEY: json.dumps(about)})
    with pytest.raises(InputError, match=f"not a checkpoint .*{message}"):
        train.resume(small_settings(), SHAPE, tmp_path)
