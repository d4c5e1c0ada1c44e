"""How gunicorn serves a static site."""

worker_class = "gthread"
workers = 1
threads = 8
keepalive = 75
timeout = 30
control_socket_disable = True
