#!/usr/bin/env python3
"""The other side of `./lserve bench sessions --parts resume`: llama.cpp's session files, through its C interface (standard library only).

    python3 bench/Sessions/slots.py MODEL.gguf --peer cpu_peer.py --libs FOLDER [--context 7900] [--turn 20] [--repeat 5] [--commit ID] [--out slots.json]

cpu_peer.py is the script that `bench sparse --peer` takes, FOLDER has llama.cpp's libraries. Measured: what a session's file weighs, how long
saving it takes, alone and with fsync, how long loading it takes, and what becomes of a file with one bit turned and of one whose last byte is
missing (each in a process of its own, since that may end it).
"""
import argparse, ctypes as c, datetime, importlib.util, json, os, statistics, subprocess, sys, tempfile, time


def connect(o):
    spec = importlib.util.spec_from_file_location("cpu_peer", o.peer)
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    llama = peer.Llama(o.libs, o.model, o.threads, 0, "f16", False)
    size = c.c_size_t
    for name, last in (("llama_state_seq_save_file", [c.POINTER(c.c_int32), size]), ("llama_state_seq_load_file", [c.POINTER(c.c_int32), size, c.POINTER(size)])):
        f = getattr(llama.l, name)
        f.restype, f.argtypes = size, [c.c_void_p, c.c_char_p, c.c_int32] + last
    return peer, llama, llama.context(o.context + o.turn + 64, 1)


def shown(arguments):
    """A result names files, not where one machine has them."""
    return " ".join(os.path.basename(a.rstrip("/")) if os.path.isabs(a) else a for a in arguments)


def processor():
    with open("/proc/cpuinfo") as lines:
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def load(llama, context, path, room):
    """Bytes read (0: refused) and tokens."""
    ids, count = (c.c_int32 * room)(), c.c_size_t()
    return llama.l.llama_state_seq_load_file(context.handle, os.fsencode(path), 0, ids, room, c.byref(count)), count.value


def answer(llama, context, position, steps=8):
    """Greedy tokens from here on."""
    said, token = [], 400
    for i in range(steps):
        context.step([(token, position + i, 0, 1)])
        logits = llama.l.llama_get_logits_ith(context.handle, 0)
        token = max(range(49152), key=lambda t: logits[t])
        said.append(token)
    return said


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("model"); a.add_argument("--peer", required=True); a.add_argument("--libs", required=True); a.add_argument("--load"); a.add_argument("--out"); a.add_argument("--commit", default="")
    for name, default in (("threads", 2), ("context", 7900), ("turn", 20), ("repeat", 5)):
        a.add_argument("--" + name, type=int, default=default)
    o = a.parse_args()
    peer, llama, x = connect(o)
    if o.load:
        read, count = load(llama, x, o.load, o.context + o.turn)
        print(json.dumps(dict(accepted=read > 0, said=answer(llama, x, count) if read else [])), flush=True)
        os._exit(0)
    ids, figures = peer.tokens(o.context, 1), []

    def note(what, unit, values):
        figures.append(dict(what=what, unit=unit, median=statistics.median(values), lowest=min(values), highest=max(values), values=len(values)))
        print(f"  {what:52} {statistics.median(values):12.1f} {unit}", flush=True)

    path = os.path.join(tempfile.mkdtemp(), "slot.bin")
    x.prompt(ids)
    saves, synced, loads = [], [], []
    for _ in range(o.repeat):
        begin = time.perf_counter()
        llama.l.llama_state_seq_save_file(x.handle, os.fsencode(path), 0, (c.c_int32 * len(ids))(*ids), len(ids))
        saves.append((time.perf_counter() - begin) * 1000)
        with open(path, "rb+") as f:
            os.fsync(f.fileno())
        synced.append((time.perf_counter() - begin) * 1000)
        x.clear()
        begin = time.perf_counter()
        load(llama, x, path, len(ids))
        loads.append((time.perf_counter() - begin) * 1000)
    whole = open(path, "rb").read()
    note(f"written by a turn at {o.context}: the whole file", "KiB", [len(whole) / 1024])
    note("saving", "ms", saves); note("saving, with fsync", "ms", synced); note("loading", "ms", loads)

    def fate(content):
        with open(path, "wb") as f:
            f.write(content)
        again = subprocess.run([sys.executable, *sys.argv, "--load", path], capture_output=True, text=True)
        return json.loads(again.stdout.splitlines()[-1]) if again.returncode == 0 and again.stdout else dict(aborted=again.returncode)

    fates = {"intact": fate(whole), "one bit turned": fate(whole[:len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 64]) + whole[len(whole) // 2 + 1:]), "last byte missing": fate(whole[:-1])}
    for name, what in fates.items():
        print(f"  {name}: {what}", flush=True)
    if o.out:
        json.dump(dict(command=shown(sys.argv), commit=o.commit, cpu=processor(), peer="llama.cpp", threads=o.threads, date=datetime.datetime.now(datetime.timezone.utc).isoformat(), figures=figures, files=fates), open(o.out, "w"), indent=1)
    os._exit(0)  # its libraries dislike Python's order of unloading


if __name__ == "__main__":
    main()
