namespace LServe.Silo;

/// <summary>The server can't start as it was asked to; the message is one line that says what to do. Exit code 2.</summary>
internal sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
