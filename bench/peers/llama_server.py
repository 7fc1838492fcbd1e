"""llama-server, for the programs that measure beside it: found or built, and started."""
import os, re, subprocess, sys, tempfile, time, urllib.request

from judge_work import CACHE, ROOT


def find_server():
    if os.environ.get("LLAMA_SERVER"):
        return os.environ["LLAMA_SERVER"]
    build = os.path.join(CACHE, "llama-server-build")
    server = os.path.join(build, "bin", "llama-server")
    if not os.path.exists(server):
        source = subprocess.run([os.path.join(ROOT, "scripts", "fetch.sh"), "llama.cpp"], check=True, text=True,
                                stdout=subprocess.PIPE).stdout.strip().splitlines()[-1]
        print("building llama-server once, several minutes", file=sys.stderr)
        subprocess.run(["cmake", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DLLAMA_OPENSSL=OFF",
                        "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_USE_PREBUILT_UI=OFF"],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", build, "--target", "llama-server", "-j", str(os.cpu_count())], check=True,
                       stdout=subprocess.DEVNULL)
    return server


def find_model():
    if os.environ.get("LLAMA_GGUF"):
        return os.environ["LLAMA_GGUF"]
    listed = subprocess.run([os.path.join(ROOT, "build", "selene"), "models", "--json"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    found = re.search(r'"path":\s*"([^"]*smollm2[^"]*)"', listed)
    if not found:
        sys.exit("no model: build/selene models pull default, or set LLAMA_GGUF")
    return found.group(1)


def start_server(server, model, port, parallel, threads):
    """Its process, once it answers: `parallel` slots of 4096 tokens."""
    log = tempfile.NamedTemporaryFile("w", suffix=".log")
    process = subprocess.Popen([server, "-m", model, "-np", str(parallel), "-c", str(4096 * parallel), "-t", str(threads),
                                "-tb", str(threads), "--port", str(port), "--no-webui"], stdout=log, stderr=log)
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"llama-server ended:\n{open(log.name).read()[-2000:]}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
            return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    sys.exit("llama-server does not answer")
