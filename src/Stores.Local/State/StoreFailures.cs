using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>What SQLite and the file system report, as the exception that callers of a store know.</summary>
internal static class StoreFailures
{
    // Primary result codes, https://www.sqlite.org/rescode.html
    private const int Corrupt = 11, NotADatabase = 26, Full = 13, Constraint = 19, Mismatch = 20, Range = 25, Error = 1, Internal = 2, Format = 24;

    public static T Translate<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException problem)
        {
            throw Of(problem);
        }
        catch (Exception problem) when (problem is InvalidCastException or FormatException or OverflowException or InvalidOperationException or ArgumentException)
        {
            // A column holds what this program never wrote there.
            throw new SessionStoreException(StoreFailure.Damaged, $"The session database is damaged ({problem.Message}).", problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw Of(problem);
        }
    }

    public static SessionStoreException Of(SqliteException problem) => problem.SqliteErrorCode switch
    {
        Corrupt or NotADatabase or Constraint or Mismatch or Range or Error or Internal or Format =>
            new(StoreFailure.Damaged, $"The session database is damaged ({problem.Message}).", problem),
        Full => new(StoreFailure.Full, "The disk with the session database is full; make room and send the turn again.", problem),
        _ => new(StoreFailure.Unavailable, $"The session database can't be used ({problem.Message}).", problem),
    };

    public static SessionStoreException Of(Exception problem) => IsFull(problem)
        ? new(StoreFailure.Full, "The disk with the sessions is full; make room and send the turn again.", problem)
        : new(StoreFailure.Unavailable, $"The session folder can't be used ({problem.Message}).", problem);

    private static bool IsFull(Exception problem)
    {
        const int diskFullWindows = unchecked((int)0x80070070), noSpaceUnix = 28, quotaLinux = 122;
        return problem.HResult is diskFullWindows or noSpaceUnix or quotaLinux;
    }
}
