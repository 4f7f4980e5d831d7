"""What a deployment in containers needs beside ``docker-compose.yml``: the proxy's settings and the maker of its secrets."""
