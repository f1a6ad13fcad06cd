"""Numbered boxes on a photo."""

import io

import numpy as np
from PIL import Image

from bot.drawing import COLOURS, MOST, apart, numbered
from bot.insights.model import WHOLE, Crop

GREY = np.full((600, 900, 3), 128, dtype=np.uint8)


def drawn(*boxes: Crop) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(numbered(GREY, boxes))).convert("RGB")).astype(int)


def is_colour(pixel: np.ndarray, colour: str) -> bool:
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return bool(np.abs(pixel - wanted).max() < 60)


def test_each_box_has_its_colour_within_a_white_rim_and_the_rest_stays_as_it_was() -> None:
    picture = drawn(Crop(0.1, 0.1, 0.4, 0.5), Crop(0.5, 0.5, 0.9, 0.9))
    assert picture.shape == GREY.shape
    for (x, y), colour in (((225, 63), COLOURS[0]), ((630, 303), COLOURS[1])):
        column = picture[y - 8 : y + 8, x]
        assert any(is_colour(pixel, colour) for pixel in column)
        assert any(pixel.min() > 220 for pixel in column)
    assert np.abs(picture[150, 225] - 128).max() < 8


def test_boxes_at_the_edge_keep_their_numbers_inside() -> None:
    picture = drawn(WHOLE, Crop(0.0, 0.0, 0.02, 0.02), Crop(0.98, 0.98, 1.0, 1.0))
    assert picture.shape == GREY.shape


def test_boxes_on_one_another_are_one_and_there_are_five_at_most() -> None:
    one, nearly = Crop(0.1, 0.1, 0.5, 0.5), Crop(0.1, 0.1, 0.5, 0.49)
    assert apart([one, nearly, Crop(0.6, 0.6, 0.9, 0.9)]) == [0, 2]
    many = [Crop(number / 10, 0.0, number / 10 + 0.05, 1.0) for number in range(9)]
    assert apart(many) == list(range(MOST))
