"""gRPC servers on private sockets, for callers that have the token."""

import concurrent.futures
import contextlib
import hmac
import os
import secrets

import grpc

MESSAGE_BYTES = 16 << 20


class Token(grpc.ServerInterceptor):
    """Refuses calls that do not carry the token."""

    def __init__(self, token):
        self.expected = f"Bearer {token}"

    def intercept_service(self, continuation, details):
        given = dict(details.invocation_metadata).get("authorization", "")
        if hmac.compare_digest(given.encode(), self.expected.encode()):
            return continuation(details)
        handler = continuation(details)
        if handler is None:
            return None

        def refuse(_request, context):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is missing or wrong")

        # The refusal has to have the shape of the call that it refuses.
        shape = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[(handler.request_streaming, handler.response_streaming)]
        return shape(refuse, handler.request_deserializer, handler.response_serializer)


class PrivateServer:
    """A gRPC server on a socket of its own in a private folder."""

    def __init__(self, folder, token, register, threads=16):
        self.path = os.path.join(folder, f"p{secrets.token_hex(4)}.sock")
        self.server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(threads),
            interceptors=[Token(token)],
            options=[
                ("grpc.max_receive_message_length", MESSAGE_BYTES),
                ("grpc.max_send_message_length", MESSAGE_BYTES),
            ],
        )
        register(self.server)
        self.server.add_insecure_port(f"unix:{self.path}")
        self.server.start()
        os.chmod(self.path, 0o600)

    def stop(self):
        self.server.stop(0.5).wait(2)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
