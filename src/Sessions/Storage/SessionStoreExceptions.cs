using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>The stored record is not the one that was loaded: another activation of this session has committed.</summary>
public sealed class SessionStoreConflictException(SessionKey key) : Exception($"Session {key} was changed by somebody else.")
{
    public SessionKey Key { get; } = key;
}

public enum StoreFailure
{
    /// <summary>What was read is not what was written; other sessions are not concerned.</summary>
    Damaged,

    /// <summary>No room on the disk, or within a limit of the store; may go away.</summary>
    Full,

    /// <summary>The medium fails or refuses; may go away.</summary>
    Unavailable,

    /// <summary>Written by a later version of this program.</summary>
    TooNew,
}

/// <summary>A store couldn't do what it was asked. What was committed before still is.</summary>
public sealed class SessionStoreException(StoreFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public StoreFailure Failure { get; } = failure;

    /// <summary>The failure as callers are told it.</summary>
    public LServeException ToPublic() => new(
        Failure switch
        {
            StoreFailure.Damaged => new(ErrorCode.SessionDamaged, Message),
            StoreFailure.TooNew => new(ErrorCode.SessionConflict, Message),
            _ => new(ErrorCode.Overloaded, Message, Retryable: true, RetryAfterSeconds: 5),
        },
        this);
}
