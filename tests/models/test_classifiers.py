"""Classifiers give the probabilities of a plain forward, in any batch, or say why they cannot."""

import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny
import torch
from scipy.special import softmax
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from transformers import AutoConfig, AutoModelForSequenceClassification

import workbench as wb
from workbench.errors import DataError, ModelError, NotApplicable, UsageError
from workbench.models.load import load
from workbench.models.verbs import Silent

TEXTS = [
    "Gold",
    "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.",
    "",
    "Paris is a capital",
    "é 日本",
]
SIZES = {
    "vocab_size": 416,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 66,
    "initializer_range": 0.3,
}


def save(folder: Path, family: str = "bert", **changes: Any) -> Path:
    """Write a tiny random classifier with its tokenizer; <bos> stands for the first token that the head reads."""
    torch.manual_seed(0)
    special = {"pad_token_id": 1 if family == "roberta" else 0}
    settings = SIZES | special | {"num_labels": 3} | changes
    if family == "llama":
        settings |= {"num_key_value_heads": 2}
    AutoModelForSequenceClassification.from_config(AutoConfig.for_model(family, **settings)).save_pretrained(folder)
    tokens = tiny.tokenizer(adds_bos=True)
    tokens.save_pretrained(folder)
    return folder


class Once(Silent):
    """Asks to stop after the first batch."""

    stopped = False

    def advance(self, done: int, **facts: Any) -> None:
        """Stop."""
        self.stopped = True


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "llama"])
def test_probabilities_equal_a_plain_forward(family: str, tmp_path: Path) -> None:
    """Each text alone through transformers and softmax agrees to 1e-5, in batches of one and of four."""
    extra = {"dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4} if family == "distilbert" else {}
    folder = save(tmp_path / family, family, **extra)
    plain = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokens = tiny.tokenizer(adds_bos=True)
    with torch.no_grad():
        expected = torch.cat([plain(**tokens(text, return_tensors="pt")).logits.double() for text in TEXTS])

    for budget in (1, 200):
        made = load(folder, cache=False, token_budget=budget).classify(TEXTS)
        np.testing.assert_allclose(made.probabilities, expected.softmax(-1).numpy(), atol=1e-5)
        np.testing.assert_allclose(made.logits, expected.numpy(), atol=1e-4)
        assert made.done.all()
    assert ("LABEL_0", "LABEL_1", "LABEL_2") == made.labels


def test_names_of_classes_come_from_the_settings_or_the_person(tmp_path: Path) -> None:
    """id2label in order; labels= replaces it; a wrong number of names is refused."""
    names = {0: "negative", 1: "neutral", 2: "positive"}
    folder = save(tmp_path / "named", id2label=names, label2id={v: k for k, v in names.items()})

    assert ("negative", "neutral", "positive") == load(folder).labels
    assert ("a", "b", "c") == load(folder, labels=["a", "b", "c"]).labels
    with pytest.raises(UsageError, match="has 3 classes; labels names 2"):
        load(folder, labels=["a", "b"])


def test_long_texts_are_cut_and_counted(tmp_path: Path) -> None:
    """RoBERTa's table of 66 positions holds 64 tokens beside its padding; longer texts are cut there, not past the table."""
    model = load(save(tmp_path / "r", "roberta"), cache=False)
    made = model.classify(["Gold " * 200, "Gold"])

    assert (64, 1, True) == (model.max_length, model.truncated, bool(made.done.all()))


def test_one_logit_needs_to_be_named(tmp_path: Path) -> None:
    """Refused, until two labels say what the sigmoid means."""
    folder = save(tmp_path / "one", num_labels=1)
    with pytest.raises(NotApplicable, match="has one logit"):
        load(folder)
    model = load(folder, labels=["clean", "toxic"], cache=False)
    with torch.no_grad():
        z = model.model(**model.tokenizer(TEXTS[0], return_tensors="pt")).logits.item()

    made = model.classify(TEXTS[:1])
    assert made.probabilities[0, 1] == pytest.approx(1 / (1 + np.exp(-z)), abs=1e-6)
    assert ("not toxic", "toxic") == load(folder, positive="toxic").labels


def test_independent_labels_are_read_one_at_a_time(tmp_path: Path) -> None:
    """A multi-label head is refused, unless one label is asked for against its absence."""
    names = {0: "toxic", 1: "threat", 2: "insult"}
    settings = {"id2label": names, "label2id": {v: k for k, v in names.items()}}
    folder = save(tmp_path / "multi", problem_type="multi_label_classification", **settings)
    with pytest.raises(NotApplicable, match=r"independent labels \(toxic, threat, insult\).*positive='toxic'"):
        load(folder)
    with pytest.raises(UsageError, match="Did you mean 'threat'"):
        load(folder, positive="thread")
    model = load(folder, positive="insult", cache=False)
    with torch.no_grad():
        z = model.model(**model.tokenizer(TEXTS[1], return_tensors="pt")).logits[0, 2].item()

    assert model.classify(TEXTS[1:2]).probabilities[0, 1] == pytest.approx(1 / (1 + np.exp(-z)), abs=1e-6)


def test_a_regression_head_is_refused(tmp_path: Path) -> None:
    """Numbers are not probabilities."""
    with pytest.raises(NotApplicable, match="regression head"):
        load(save(tmp_path / "reg", num_labels=1, problem_type="regression"))


def test_pairs_are_read_as_pairs(tmp_path: Path) -> None:
    """Tuples and mappings with text_pair agree; mixed forms and other things are refused."""
    model = load(save(tmp_path / "pairs"), cache=False)
    tuples = model.classify([("Gold", "Paris"), ("The", "fox")])

    np.testing.assert_array_equal(
        tuples.probabilities,
        model.classify([{"text": "Gold", "text_pair": "Paris"}, {"text": "The", "text_pair": "fox"}]).probabilities,
    )
    with pytest.raises(DataError, match="Input 1 is a single text"):
        model.classify([("Gold", "Paris"), "Gold"])
    with pytest.raises(DataError, match="Input 0 is a int"):
        model.classify([3])


def test_a_stop_keeps_what_is_done_and_the_cache_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that were not reached are NaN; the same call again computes only those."""
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    folder = save(tmp_path / "m")
    model = load(folder, token_budget=1)
    first = model.classify(TEXTS, monitor=Once())
    asked: list[list[str]] = []
    forward = model._forward
    model._forward = lambda firsts, seconds: asked.append(firsts) or forward(firsts, seconds)
    second = model.classify(TEXTS)

    assert first.done.sum() == 1
    assert np.isnan(first.probabilities[~first.done]).all()
    assert 4 == len(asked)
    np.testing.assert_array_equal(second.probabilities[first.done], first.probabilities[first.done])


@pytest.fixture
def labelled() -> tuple[list[str], list[str]]:
    """Return texts and their classes."""
    return ["good fine", "good great", "bad awful", "bad poor"] * 5, ["pos", "pos", "neg", "neg"] * 5


def test_a_scikit_learn_pipeline_of_texts(labelled: tuple[list[str], list[str]]) -> None:
    """Its own predict_proba, for texts and for mappings with the one column."""
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(*labelled)
    model = load(fitted, name="tfidf")
    made = model.classify(["good", "awful"])

    np.testing.assert_allclose(fitted.predict_proba(["good", "awful"]), made.probabilities, rtol=1e-12)
    np.testing.assert_array_equal(
        made.probabilities, model.classify([{"text": "good"}, {"text": "awful"}]).probabilities
    )
    z = fitted.decision_function(["good", "awful"])
    np.testing.assert_allclose(made.logits, np.stack([-z / 2, z / 2], axis=1), rtol=1e-12)
    assert (("neg", "pos"), "tfidf") == (made.labels, model.name)


def test_a_scikit_learn_classifier_of_features() -> None:
    """Fitted on a frame: mappings in any order, rows, and a frame; a missing feature is named."""
    frame = pd.DataFrame({"age": [20.0, 30, 40, 50], "hours": [1.0, 2, 3, 5], "job": ["a", "b", "a", "b"]})
    columns = ColumnTransformer([("numbers", StandardScaler(), ["age", "hours"])])
    fitted = make_pipeline(columns, LogisticRegression()).fit(frame, [0, 0, 1, 1])
    model = load(fitted)
    expected = fitted.predict_proba(frame)
    shuffled = [{"job": row.job, "hours": row.hours, "age": row.age, "other": 1} for row in frame.itertuples()]

    np.testing.assert_allclose(expected, model.classify(shuffled).probabilities)
    np.testing.assert_allclose(expected, model.classify(frame).probabilities)
    assert ("0", "1") == model.labels
    with pytest.raises(DataError, match=r"needs the feature hours; input 1 has age, job"):
        model.classify([shuffled[0], {"age": 1.0, "job": "a"}])


def test_a_scikit_learn_classifier_of_rows() -> None:
    """Fitted on an array: rows of numbers, or mappings in their own order."""
    fitted = LogisticRegression().fit([[0.0, 1.0], [1.0, 0.0]], ["no", "yes"])
    model = load(fitted)

    expected = fitted.predict_proba([[2.0, 3.0]])
    np.testing.assert_allclose(expected, model.classify([[2.0, 3.0]]).probabilities, rtol=1e-12)
    assert () == model.info.notes
    np.testing.assert_allclose(expected, model.classify([{"x": 2.0, "y": 3.0}]).probabilities, rtol=1e-12)
    assert model.info.notes == (
        "LogisticRegression was fitted without names of columns: it is given x, y, in this order",
    )
    with pytest.raises(DataError, match="cannot read these inputs"):
        model.classify([[1.0, 2.0, 3.0]])


def test_a_decision_function_is_said() -> None:
    """Without predict_proba the softmax of the decision function is used, and the info says so."""
    fitted = LinearSVC().fit([[0.0], [1.0]], ["no", "yes"])
    model = load(fitted)
    made = model.classify([[2.0]])
    z = fitted.decision_function([[2.0]])[0]

    assert made.probabilities[0, 1] == pytest.approx(1 / (1 + np.exp(-z)))
    assert "softmax of its decision_function" in model.info.notes[0]
    assert made.logits is not None


@pytest.mark.parametrize(
    ("kind", "matches"),
    [
        (LogisticRegression(max_iter=1000), True),
        (GradientBoostingClassifier(n_estimators=5), True),
        (LinearDiscriminantAnalysis(), True),
        (OneVsRestClassifier(LogisticRegression(max_iter=1000)), False),
        (SVC(probability=True, random_state=0), False),
        (GaussianNB(), False),
    ],
    ids=lambda given: type(given).__name__,
)
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.filterwarnings("ignore::FutureWarning")  # SVC's probability
def test_decision_values_are_logits_only_where_their_softmax_is_the_probabilities(
    kind: Any, matches: bool, classes: int
) -> None:
    """Logits agree with predict_proba to 1e-9 or there are none: Platt's and one-against-rest probabilities are no softmax."""
    x, y = load_iris(return_X_y=True)
    x, y = x[y < classes], y[y < classes]
    fitted = kind.fit(x, y)
    made = load(fitted).classify(x)

    np.testing.assert_allclose(fitted.predict_proba(x), made.probabilities, rtol=1e-9, atol=1e-12)
    if matches or (
        classes == 2 and isinstance(kind, OneVsRestClassifier)
    ):  # one against one is a plain logistic regression
        assert made.logits is not None
        np.testing.assert_allclose(softmax(made.logits, axis=1), fitted.predict_proba(x), rtol=1e-9, atol=1e-12)
        assert made.logits.shape == (len(x), classes)
    else:
        assert made.logits is None


def test_what_scikit_learn_cannot_say_is_refused() -> None:
    """A regressor has no classes; an unfitted classifier has none yet."""
    with pytest.raises(NotApplicable, match="predicts numbers"):
        load(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]))
    with pytest.raises(ModelError, match="not fitted"):
        load(LogisticRegression())


def test_a_torch_module_with_a_transform() -> None:
    """Softmax of its logits, in any batch; what is missing is asked for."""
    torch.manual_seed(0)
    module = torch.nn.Linear(3, 2)
    rows = np.random.default_rng(0).normal(size=(130, 3)).astype(np.float32)
    model = load(module, labels=["no", "yes"], transform=lambda rows: torch.tensor(np.stack(rows)))
    expected = module(torch.tensor(rows)).softmax(-1).detach().numpy()

    made = model.classify(rows)
    np.testing.assert_allclose(made.probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(made.probabilities[:1], model.classify(rows[:1]).probabilities, atol=1e-6)
    with pytest.raises(UsageError, match="does not name its classes"):
        load(module, transform=lambda rows: rows)
    with pytest.raises(UsageError, match=r"Pass tokenizer=\.\.\., or transform="):
        load(module, labels=["no", "yes"])


def test_a_torch_module_that_ends_in_softmax_is_not_softened_twice() -> None:
    """Outputs that are probabilities stay as they are."""
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Softmax(-1))
    made = load(module, labels=["no", "yes"], transform=torch.tensor).classify([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]])

    expected = module(torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]])).detach().numpy()
    np.testing.assert_allclose(made.probabilities, expected, atol=1e-6)
    assert made.logits is None


def test_a_torch_module_with_a_tokenizer() -> None:
    """A transformers tokenizer's mapping goes to the module as keywords; one number per input is a logit."""

    class Bag(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Embedding(416, 1)

        def forward(self, input_ids: Any, attention_mask: Any, **_: Any) -> Any:
            return (self.table(input_ids)[..., 0] * attention_mask).sum(-1)

    torch.manual_seed(0)
    module = Bag()
    model = load(module, tokenizer=tiny.tokenizer(), positive="yes")
    made = model.classify(TEXTS[:2])
    z = [module(**tiny.tokenizer()(text, return_tensors="pt")).item() for text in TEXTS[:2]]

    np.testing.assert_allclose(made.probabilities[:, 1], 1 / (1 + np.exp(-np.array(z))), atol=1e-6)
    assert ("not yes", "yes") == made.labels


def test_nan_and_wrong_shapes_are_errors() -> None:
    """A module's NaN names the input; labels that do not fit its outputs are said."""
    rows = [[1.0], [float("nan")]]
    with pytest.raises(ModelError, match="NaN or infinity for input 1"):
        load(torch.nn.Linear(1, 2), labels=["a", "b"], transform=torch.tensor).classify(rows)
    with pytest.raises(ModelError, match=r"shape \(1, 2\) for 1 inputs and 3 labels"):
        load(torch.nn.Linear(1, 2), labels=["a", "b", "c"], transform=torch.tensor).classify([[1.0]])
    with pytest.raises(
        ModelError, match=r"transform of Linear failed on a list of 1 input, each a mapping from column to value"
    ):
        load(torch.nn.Linear(1, 2), labels=["a", "b"], transform=torch.tensor).classify([{"age": 3.0}])


def test_the_page_of_models_runs() -> None:
    """Each piece of code in docs/models.md does what the page says of it."""
    table = pd.DataFrame({"age": [20.0, 30, 40, 50], "income": [1.0, 2, 3, 4], "paid": ["no", "yes", "no", "yes"]})
    quiet = SimpleNamespace(
        load=load, Examples=wb.Examples, run=partial(wb.run, monitor=Silent())
    )  # no widgets to import
    known: dict[str, Any] = {
        "wb": quiet,
        "table": table,
        "my_model": tiny.language_model(),
        "my_tokenizer": tiny.tokenizer(),
    }
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(code, known)

    assert ("bad", "good") == known["one"].labels
    one, many = (known[name].classify(["fine", "no"]) for name in ("one", "many"))
    assert [0.9, 0.2] == one.probabilities[:, 1].tolist() == many.probabilities[:, 0].tolist()
    assert "score" in known["model"].verbs
    assert 4 == len(known["report"].rows)
