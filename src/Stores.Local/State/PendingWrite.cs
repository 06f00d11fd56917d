using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>A change of the database that waits for its turn, alone or with others in one transaction.</summary>
internal abstract class PendingWrite
{
    /// <summary>Makes the change; what to note of it in the journal. If it throws, nothing of it remains, and its caller is told.</summary>
    public abstract JournalEntry? Run(SqliteTransaction transaction);

    /// <summary>The transaction is committed.</summary>
    public abstract void Succeed();

    public abstract void Fail(Exception problem);
}

/// <inheritdoc/>
internal sealed class PendingWrite<T>(Func<SqliteTransaction, (T Result, JournalEntry? Entry)> write) : PendingWrite
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<T> Done => _done.Task;

    public override JournalEntry? Run(SqliteTransaction transaction)
    {
        (_result, var entry) = write(transaction);
        return entry;
    }

    public override void Succeed() => _done.TrySetResult(_result);

    public override void Fail(Exception problem) => _done.TrySetException(problem);
}
