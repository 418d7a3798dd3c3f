import pytest

from tests.ops.conftest import PROD, Patchops

pytestmark = pytest.mark.xdist_group("ops")


def test_all(patchops: Patchops, tmp_path) -> None:
    f = open("/tmp/first.txt", "w")
    for c in [
        ("nodes",),
        ("scan", "-e", "lab"),
        ("compliance", "-e", "lab", "--html", "/tmp/r.html"),
        ("compliance", "-e", "lab", "--by", "patch"),
        ("plan", *PROD, "--explain"),
        ("runs", "-e", "lab"),
        ("windows", "-e", "lab"),
        ("windows", "disable", "prod", "-e", "lab"),
        ("windows", "enable", "prod", "-e", "lab"),
    ]:
        r = patchops(*c)
        f.write(f"$ {c} {r.code}\n{r.out}\n{r.err}\n")
        f.flush()
    i = patchops("runs", "-o", "json").json[0]["command_id"]
    n = patchops("nodes", "-o", "json").json[0]["id"]
    for c in [
        ("run", "show", i),
        ("logs", i, n),
        ("watch", i),
        ("install", *PROD, "--yes", "-o", "json"),
        ("install", "-e", "lab", "--window", "test", "--yes"),
    ]:
        r = patchops(*c)
        f.write(f"$ {c} {r.code}\n{r.out[:5000]}\n{r.err}\n")
        f.flush()
    assert 0
