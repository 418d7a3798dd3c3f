import pytest
from tests.ops.conftest import PROD, Patchops
pytestmark = pytest.mark.xdist_group("ops")

def test_all(patchops: Patchops, tmp_path) -> None:
    for c in [("nodes",), ("scan","-e","lab"), ("compliance","-e","lab","--html",str("/tmp/r.html")), ("compliance","-e","lab","--by","patch"),("plan",*PROD,"--explain"),("runs","-e","lab"),("windows","-e","lab"),("windows","disable","prod","-e","lab"),("windows","enable","prod","-e","lab")]:
        r = patchops(*c)
        print("$", c, r.code); print(r.out); print(r.err)
    i=patchops("runs","-o","json").json[0]["command_id"]
    n=patchops("nodes","-o","json").json[0]["id"]
    for c in [("run","show",i),("logs",i,n),("watch",i),("install",*PROD,"--yes","-o","json"),("install","-e","lab","--window","test","--yes")]:
        r = patchops(*c)
        print("$", c, r.code); print(r.out[:6000]); print(r.err)
    assert 0
