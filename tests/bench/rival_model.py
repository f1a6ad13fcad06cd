"""Run by the rival's Python: ViT-B/32 with random weights, as its own checkpoint and as ONNX for us. The same numbers in both."""

import sys
from pathlib import Path

import open_clip
import torch

folder = Path(sys.argv[1])
torch.manual_seed(0)
model = open_clip.create_model("ViT-B-32", pretrained=None).eval()
torch.save(model.state_dict(), folder / "vit.pt")
torch.onnx.export(
    model.visual,
    (torch.zeros(1, 3, 224, 224),),
    folder / "vit.onnx",
    input_names=["image"],
    output_names=["embedding"],
    opset_version=17,
    dynamo=False,
)
