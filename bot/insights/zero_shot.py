"""Words for pictures without training: the text encoder of a pair says how near each of ImageNet's words is."""

import contextlib
import logging
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

from bot.errors import ConfigurationError
from bot.insights.encoder import CLASSES, _word

log = logging.getLogger(__name__)

_TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


class TextCard(BaseModel):
    """The text half of a pair such as CLIP or SigLIP; its files lie beside the card.

    tokenizer: a `tokenizer.json`. context: tokens of a text, shorter ones are filled up with the token `padding`.
    mask: name of the input that tells real tokens from filling, empty when there is none. scale: of the dot product,
    before the softmax over all words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(pattern=r"^[^/\\]+$")
    tokenizer: str = Field(pattern=r"^[^/\\]+$")
    context: int = Field(ge=1, le=1024)
    input: str = "input_ids"
    mask: str = ""
    output: str
    prompt: str = Field("a photo of a {}", pattern=r"^[^{}]*\{\}[^{}]*$")
    padding: int = Field(0, ge=0)
    scale: PositiveFloat = 100.0


class Words:
    """ImageNet's words as vectors (CLASSES, dimension) of length 1, in its order."""

    def __init__(self, vectors: NDArray[np.float32], scale: float) -> None:
        self._vectors = vectors
        self._scale = scale

    @classmethod
    def load(cls, card: TextCard, session: ort.InferenceSession, image_model: Path, *, dimension: int) -> Self | None:
        """None without the package tokenizers. Encoding the words takes up to a minute, once: they are kept beside the model.

        Raises ConfigurationError naming INSIGHTS_MODEL.
        """
        if find_spec("tokenizers") is None:
            log.warning(
                "INSIGHTS_MODEL names a text encoder, but the package tokenizers is not installed: words come from neighbours"
            )
            return None
        folder, cache = image_model.parent, image_model.with_suffix(".words.npz")
        try:
            parts = [(folder / name).read_bytes() for name in (card.model, card.tokenizer)]
        except OSError as error:
            raise ConfigurationError(f"INSIGHTS_MODEL: the text's {error.filename} cannot be read: {error.strerror}.") from None
        key = sha256(b"\0".join([*parts, card.model_dump_json().encode()])).hexdigest()
        with contextlib.suppress(OSError, ValueError, KeyError), np.load(cache) as kept:
            if str(kept["key"]) == key and kept["vectors"].shape == (CLASSES, dimension):
                return cls(kept["vectors"].astype(np.float32), card.scale)
        vectors = _encode(card, session, folder, dimension)
        with contextlib.suppress(OSError):  # a read-only folder: encoded again at the next start
            np.savez(cache, key=np.array(key), vectors=vectors)
        return cls(vectors, card.scale)

    def scores(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (CLASSES,) for a picture's embedding (dimension,) of length 1."""
        return np.asarray(self._vectors @ picture * self._scale, dtype=np.float32)


def _encode(card: TextCard, session: ort.InferenceSession, folder: Path, dimension: int) -> NDArray[np.float32]:
    from tokenizers import Tokenizer  # noqa: PLC0415 (optional)

    try:
        tokenizer = Tokenizer.from_file(str(folder / card.tokenizer))
    except Exception as error:  # the library raises plain Exception
        raise ConfigurationError(f"INSIGHTS_MODEL: {card.tokenizer} is not a tokenizer.json.") from error
    tokenizer.enable_truncation(card.context)
    tokenizer.enable_padding(length=card.context, pad_id=card.padding)
    log.info("encoding %d words with %s", CLASSES, card.model)
    try:
        kind = next(_TYPES[one.type] for one in session.get_inputs() if one.name == card.input)

        def vector(word: str) -> NDArray[np.float32]:
            tokens = tokenizer.encode(card.prompt.format(word.lower()))
            given: dict[str, Any] = {card.input: np.array([tokens.ids], dtype=kind)}
            if card.mask:
                given[card.mask] = np.array([tokens.attention_mask], dtype=kind)
            found = session.run([card.output], given)[0].reshape(dimension).astype(np.float32)
            return np.asarray(found / (np.linalg.norm(found) + 1e-9), dtype=np.float32)

        return np.stack([vector(_word(row)) for row in range(CLASSES)])
    except Exception as error:  # wrong names, shapes or types; each is reported differently
        raise ConfigurationError(
            f"INSIGHTS_MODEL: {card.model} must take {card.input} (1, {card.context}) of tokens "
            f"and give {card.output} with {dimension} numbers, as the card says."
        ) from error
