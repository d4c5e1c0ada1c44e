"""The order API, as Chalice deploys it and API Gateway calls it."""

from chalicelib.bootstrap import application

app = application()
