"""Any residual backbone as a dynamic recursive network: ``recursify(model)``.

tracing, shapes   what a backbone computes, and on what
blocks, plan      which of its blocks can loop, and which become which recursive block
norms, body       one block as the body of a recursive one
surgery, convert  the backbone with recursive blocks in it
network           what comes out
backbones         backbones by name, from torchvision and timm
"""

from drnn_core.models.recursify.backbones import build_backbone
from drnn_core.models.recursify.convert import GateForm, recursify
from drnn_core.models.recursify.network import RecursifiedNetwork

__all__ = ["GateForm", "RecursifiedNetwork", "build_backbone", "recursify"]
