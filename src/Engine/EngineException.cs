namespace LServe.Inference;

public enum EngineFailure
{
    /// <summary>Prompt and answer don't fit the context window. Not retryable.</summary>
    ContextExceeded,

    /// <summary>The waiting room is full. Retryable.</summary>
    Overloaded,

    /// <summary>The engine is stopping. Retryable, elsewhere or after a restart.</summary>
    Stopping,

    /// <summary>The engine has no such attention. Not retryable.</summary>
    Unsupported,

    /// <summary>The backend failed during the step. Retryable.</summary>
    StepFailed,
}

/// <summary>The engine refused or could not finish a generation; the engine itself goes on, except when stopping.</summary>
public sealed class EngineException(EngineFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public EngineFailure Failure { get; } = failure;
    public bool IsRetryable => Failure is not (EngineFailure.ContextExceeded or EngineFailure.Unsupported);
}
