using LServe.Contracts;
using LServe.Sessions;
using Microsoft.Data.Sqlite;

namespace LServe.Stores.Local;

/// <summary>Brings the database to where the journal says it was.</summary>
internal static class JournalReplay
{
    /// <summary>What was put back, in words; what can't be is added to <paramref name="lost"/>.</summary>
    public static List<string> Run(SqliteConnection connection, IReadOnlyList<JournalEntry> entries, IDictionary<SessionKey, string> lost)
    {
        var notes = new List<string>();
        foreach (var session in entries.GroupBy(entry => entry.Key))
            if (Run(connection, session.Key, [.. session], lost) is { } note)
                notes.Add(note);
        return notes;
    }

    private static string? Run(SqliteConnection connection, SessionKey key, JournalEntry[] entries, IDictionary<SessionKey, string> lost)
    {
        using var transaction = connection.BeginTransaction();
        try
        {
            var now = SessionRow.Find(transaction, key);
            if (Missing(entries, now) is not { } missing)
            {
                lost[key] = $"Session {key} had {entries[^1].After?.Turns ?? 0} turns, and its database has {now?.Turns ?? 0}: the others are lost. " +
                    (now is null ? "Delete it to begin it anew." : $"Rewind it to turn {now.Turns} to go on from there, or delete it.");
                return null;
            }
            if (missing.Length == 0) return null;
            foreach (var entry in missing) Redo(transaction, entry);
            transaction.Commit();
            return $"{missing.Length} of the last commits of session {key} were missing from the database, and were done again; its pages are computed again.";
        }
        catch (Exception problem) when (problem is SqliteException or SessionStoreException)
        {
            // What is damaged says so when it is loaded.
            return null;
        }
    }

    /// <summary>The entries that the database hasn't got, in order; null if it is in none of the states that they lead through.</summary>
    private static JournalEntry[]? Missing(JournalEntry[] entries, SessionRow? now)
    {
        var state = SessionState.Of(now);
        var last = Array.FindLastIndex(entries, entry => SessionState.Of(entry.After) == state);
        if (last >= 0) return entries[(last + 1)..];
        if (entries[0].Before == state) return entries;
        // Commits grow: the database is ahead of a journal whose last entry was cut short.
        return state.Head > entries.Max(entry => Math.Max(entry.Before.Head, entry.After?.Head ?? 0)) ? [] : null;
    }

    private static void Redo(SqliteTransaction transaction, JournalEntry entry)
    {
        // Records may be of pages that the missing commits had replaced.
        var id = SessionId.Of(entry.Key);
        RecordRows.RemoveAll(transaction, id);
        PartialRow.Remove(transaction, entry.Key);
        if (entry.Replaces || entry.Kind == JournalKind.Delete) TurnRows.RemoveAll(transaction, id);
        if (entry.Turn is { } turn) TurnRows.Put(transaction, id, turn);
        if (entry.Kind == JournalKind.Rewind) TurnRows.RemoveAfter(transaction, id, entry.After!.Head);
        if (entry.After is { } row) row.Write(transaction);
        else SessionRow.Remove(transaction, id);
    }
}
