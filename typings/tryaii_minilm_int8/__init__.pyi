from pathlib import Path

SHA256: str

def model_path() -> Path: ...
