namespace LServe.Stores.Local;

/// <summary>The points at which a crash test may kill, in the order in which a turn passes them.</summary>
public static class FaultPoints
{
    public const string PagesWrite = "pages.write";
    public const string PagesSync = "pages.sync";
    public const string PagesFolderSync = "pages.folder-sync";
    public const string StateBegin = "state.begin";
    public const string JournalWrite = "journal.write";
    public const string JournalSync = "journal.sync";
    public const string StateCommit = "state.commit";
    public const string StateCommitted = "state.committed";
    public const string CompactWrite = "compact.write";
    public const string CompactSync = "compact.sync";
    public const string CompactRename = "compact.rename";
    public const string CompactFolderSync = "compact.folder-sync";
    public const string CompactDelete = "compact.delete";
    public const string JournalReset = "journal.reset";

    public static IReadOnlyList<string> All { get; } =
    [
        PagesWrite, PagesSync, PagesFolderSync, StateBegin, JournalWrite, JournalSync, StateCommit, StateCommitted,
        CompactWrite, CompactSync, CompactRename, CompactFolderSync, CompactDelete, JournalReset,
    ];
}
