"""nginx as a target: says who it is and what it saw, keeps files, takes uploads."""
import pathlib
import socket
import subprocess

from harness.waiting import free_port, wait_until

# What the answer to any path tells, one "key=value" a line.
SEEN = {
    "method": "$request_method", "url": "$request_uri", "protocol": "$server_protocol", "scheme": "$scheme",
    "host": "$http_host", "peer": "$remote_addr", "sni": "$ssl_server_name", "connection": "$http_connection",
    "forwarded": "$http_forwarded", "xff": "$http_x_forwarded_for", "xfp": "$http_x_forwarded_proto",
    "xfh": "$http_x_forwarded_host", "real_ip": "$http_x_real_ip", "via": "$http_via", "te": "$http_te",
    "keep_alive": "$http_keep_alive", "proxy_connection": "$http_proxy_connection", "x_hop": "$http_x_hop",
    "x_kept": "$http_x_kept", "cookie": "$http_cookie", "authorization": "$http_authorization",
    "told": "$proxy_protocol_addr", "told_port": "$proxy_protocol_port", "told_own": "$proxy_protocol_server_addr",
}

CONFIGURATION = """\
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 2048; }}
http {{
    log_format told "$proxy_protocol_addr:$proxy_protocol_port $request_uri";
    access_log {log};
    client_max_body_size 0;
    client_body_temp_path body;
    proxy_temp_path unused; fastcgi_temp_path unused; uwsgi_temp_path unused; scgi_temp_path unused;
    types {{ text/plain txt; }}
    server {{
        listen {address}:{port}{proxy_protocol};
        {tls}
        location / {{ default_type text/plain; return 200 "{seen}"; }}
        location = /204 {{ return 204; }}
        location = /private {{ auth_basic "private"; auth_basic_user_file users; try_files $uri /; }}
        location /files/ {{ root .; dav_methods PUT; create_full_put_path on; }}
    }}
}}
"""


class Nginx:
    """One nginx with a plain port and, with a `certificate` (chain, key), a TLS port too; "/private" wants alice's password,
    "wonder". With `proxy_protocol` it takes
    nothing without a PROXY header, and logs whom that names: `log_lines`.
    """

    def __init__(self, directory, name, certificate=None, address="127.0.0.1", proxy_protocol=False):
        self.name = name
        self.directory = pathlib.Path(directory)
        self.files = self.directory / "files"
        self.files.mkdir(parents=True)
        self.port = free_port()
        self.tls_port = free_port() if certificate else None
        wants_header = " proxy_protocol" if proxy_protocol else ""
        tls = ""
        if certificate:
            chain, key = certificate
            tls = f"listen {address}:{self.tls_port} ssl{wants_header}; ssl_certificate {chain}; ssl_certificate_key {key};"
        seen = "".join(f"{key}={value}\\n" for key, value in {"name": name, **SEEN}.items())
        (self.directory / "users").write_text("alice:{PLAIN}wonder\n")
        (self.directory / "nginx.conf").write_text(
            CONFIGURATION.format(address=address, port=self.port, tls=tls, seen=seen, proxy_protocol=wants_header,
                                 log="access.log told" if proxy_protocol else "off"))
        self._process = subprocess.Popen(
            ["nginx", "-p", self.directory, "-e", "error.log", "-c", "nginx.conf"], stderr=subprocess.PIPE, text=True)
        wait_until(lambda: self._listens(address), f"nginx {name}")

    def _listens(self, address):
        assert self._process.poll() is None, self._process.stderr.read()
        with socket.socket() as probe:
            return probe.connect_ex((address, self.port)) == 0

    def log_lines(self, name="access.log"):
        return (self.directory / name).read_text().splitlines()

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def seen(body):
    """The answer of an Nginx as a dict."""
    text = body.decode() if isinstance(body, bytes) else body
    return dict(line.split("=", 1) for line in text.splitlines())
