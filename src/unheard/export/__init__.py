"""Recognizers for programs without Python or torch: one ONNX file, waveform in, posteriors out."""
